3 13
user@host:/# less /usr/share/common-licenses/Apache-2.0
user@host:/# echo done
done
user@host:/#




































