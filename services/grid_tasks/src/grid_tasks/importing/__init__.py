"""Reports that other systems write on topics of their own."""
