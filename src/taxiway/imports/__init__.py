"""What comes from other systems, once and for all of it: experiments, runs with their histories, files, models."""
