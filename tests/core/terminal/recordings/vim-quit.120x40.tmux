5 13
user@host:/# echo before
before
user@host:/# vim -n -u NONE -N /etc/passwd
user@host:/# echo after
after
user@host:/#


































