"""Songs in other people's formats."""
