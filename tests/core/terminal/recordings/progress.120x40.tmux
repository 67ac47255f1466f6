22 13
unpacking 19
unpacking 20
unpacking 21
unpacking 22
unpacking 23
unpacking 24
unpacking 25
unpacking 26
unpacking 27
unpacking 28
unpacking 29
unpacking 30
unpacking 31
unpacking 32
unpacking 33
unpacking 34
unpacking 35
unpacking 36
unpacking 37
unpacking 38
unpacking 39
unpacking 40
user@host:/#
Progress 40
















