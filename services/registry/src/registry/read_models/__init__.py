"""What the registers show. Names and identity numbers are masked before they are written."""
