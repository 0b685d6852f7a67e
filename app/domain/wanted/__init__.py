"""The desired slices, Endpoints, DNS records and IPAddresses, computed from plain objects."""
