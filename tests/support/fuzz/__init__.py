"""Foreign bytes for every reader of foreign bytes, guided by coverage."""
