"""Documents as bytes and as typed objects: decoding, encoding, schemas."""
