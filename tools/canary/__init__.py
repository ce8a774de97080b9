"""The proof of the canary's statistics: worlds in which the truth is known, and the flights of 2013."""
