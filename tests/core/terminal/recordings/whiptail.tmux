3 20
user@host:/# whiptail --title Choose --menu 'Which one?' 15 50 5 one First two S
econd three Third
twouser@host:/# whiptail --inputbox 'A name' 10 50 default
defauXéuser@host:/#




















