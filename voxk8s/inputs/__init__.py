"""What a URL names: locations, reading, pins and listings."""
