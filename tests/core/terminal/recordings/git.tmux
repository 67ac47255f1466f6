23 31
|/  Author: A <a@example.org>
|   Date:   Sat Nov 21 16:44:12 2026 +0000
|
|       More 4
|
* commit 8cda9462e2d20792bc81a4980f018191006339b9
| Author: A <a@example.org>
| Date:   Sat Nov 21 16:44:12 2026 +0000
|
|     Commit 4
|
*   commit 88bc49854eb0cba47d7ed76cd4e08a43eda80054
|\  Merge: 54fe766 20b2054
| | Author: A <a@example.org>
| | Date:   Sat Nov 21 16:44:12 2026 +0000
| |
| |     Merge branch 'side3'
| |
| * commit 20b20548b638726fd95ff5786ba0ab0ddffcf23f (side3)
| | Author: A <a@example.org>
user@host:/tmp/tmp.zHM4gSMaMc# git status
On branch main
nothing to commit, working tree clean
user@host:/tmp/tmp.zHM4gSMaMc#
