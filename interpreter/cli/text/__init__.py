"""What commands print, from data to text."""
