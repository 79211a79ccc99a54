"""What the application needs of the outside world, one port a file."""
