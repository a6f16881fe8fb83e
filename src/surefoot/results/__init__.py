"""WHAT CAME BACK: the walk and its verdict joined in one result, told in words and pictures."""
