"""The outside world, one kind a folder: implementations of the ports."""
