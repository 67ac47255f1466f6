19 13
Test of leading zeros in ESC sequences.
Two lines below you should see the sentence "This is a correct sentence".

This is a correct sentence















Push <RETURN>




















