"""How the program is entered: HTTP, command line, embedding; and the one container."""
