"""On stage and after it: presenting, the programme, what can be taken away, links for an audience."""
