"""The API's routes, answers and checks."""
