"""Reading the records of a file, checking them, and finding people in them."""
