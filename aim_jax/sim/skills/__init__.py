"""The expert's moves: single ones in `hands`, and what is made of them."""
