"""The server's hand on its gateway: started, told what to serve, asked how it is."""
