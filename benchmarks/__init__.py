"""Programs that measure the client and the page, each beside something else; see the README here."""
