"""What answers for a model that cannot: searches, descriptions of pictures, calls of our own on the side."""
