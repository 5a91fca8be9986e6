"""Presenting results: the programme, exports, links for an audience."""
