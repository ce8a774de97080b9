"""Who may do what: people, service accounts, tokens, sign-in links, sessions and roles."""
