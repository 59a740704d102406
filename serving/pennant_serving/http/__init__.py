"""HTTP: the server and its connections, the application with its routes, and the end of both."""
