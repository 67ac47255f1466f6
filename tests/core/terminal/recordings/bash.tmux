23 16
line 9
line 10
line 12
line 13
end
line 14
line 15
line 16
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
user@host:/etc# echo a very long command line that is longer than eighty columns
 and so wraps in readline
a very long command line that is longer than eighty columns and so wraps in read
line@host:/etc# printf '\e[3;5r\e[3Hregion\n\n\nend\e[r\e[20H'
user@host:/etc#
