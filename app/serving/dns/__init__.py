"""The DNS server: authoritative answers over UDP and TCP from what the mirror has."""
