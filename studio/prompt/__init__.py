"""The form as a value, and what is made of it: references, recipes, links, code."""
