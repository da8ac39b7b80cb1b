"""A page that shows what every task looks like."""
