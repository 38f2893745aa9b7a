"""Programs as machine code, through llvmlite (extra `fast`)."""
