21 16
user@host:/# cd /etc
user@host:/etc# ls --color=always /usr
user@host:/etc# echo hello big world
hello big world
end
user@host:/etc# for i in $(seq 30); do echo line $i; done
line 1
line 2
line 3
line 4
line 5
line 6
line 7
line 8
line 9
line 10
line 11
line 12
line 13
user@host:/etc# echo a very long command line that is longer than eighty columns and so wraps in readline
a very long command line that is longer than eighty columns and so wraps in readline
user@host:/etc#
line 17
line 18
line 19
line 20
line 21
line 22
line 23
line 24
line 25
line 26
line 27
line 28
line 29
line 30
user@host:/etc# printf '\e[3;5r\e[3Hregion\n\n\nend\e[r\e[20H'



