"""What a mail or a file says. Bytes in, values out: no database, no network, no clock."""
