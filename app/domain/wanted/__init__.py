"""What controllers want: slices, Endpoints, DNS records, as plans computed from plain objects."""
