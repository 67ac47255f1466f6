39 31
|/  Author: A <a@example.org>
|   Date:   Sat Nov 21 16:47:11 2026 +0000
|
|       More 3
|
* commit 650618f4232c6a18aa9d8ede664aa6ff68895bab
| Author: A <a@example.org>
| Date:   Sat Nov 21 16:47:11 2026 +0000
|
|     Commit 3
|
*   commit 1fba59db3e1b99e2e4deeb625f8e1cceadbc2dc2
|\  Merge: 99a845d 6e9189d
| | Author: A <a@example.org>
| | Date:   Sat Nov 21 16:47:11 2026 +0000
| |
| |     Merge branch 'side2'
| |
| * commit 6e9189dab9af4fb1d9918382f59cb72233a1834c (side2)
| | Author: A <a@example.org>
| | Date:   Sat Nov 21 16:47:11 2026 +0000
| |
| |     Side 2
| |
* | commit 99a845dbfff0cc12686af21ce952e63183029637
|/  Author: A <a@example.org>
|   Date:   Sat Nov 21 16:47:11 2026 +0000
|
|       More 2
|
* commit 5811edda0d0a01e3dc523cc7df95b8432209d1b8
| Author: A <a@example.org>
| Date:   Sat Nov 21 16:47:11 2026 +0000
|
|     Commit 2
|
user@host:/tmp/tmp.WL0l1FvXxs# git status
On branch main
nothing to commit, working tree clean
user@host:/tmp/tmp.WL0l1FvXxs#
