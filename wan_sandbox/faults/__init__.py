"""The faults that can be switched on, and how a call is answered when one strikes."""
