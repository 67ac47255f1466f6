2 10
aarch64-linux-gnu  bin  etc  games  include  lib  lib64[0/1]│root@host:/# echo right
exec  local  sbin  share  src                               │right
bash-5.2#                                                   │root@host:/#
                                                            │
                                                            │
                                                            │
                                                            │
                                                            │
                                                            │
                                                            │
                                                            │
                                                            │
                                                            │
                                                            │
                                                            │
                                                            │
                                                            │
                                                            │
                                                            │
                                                            ├───────────────────────────────────────────────────────────
                                                            │33
                                                            │34
                                                            │35
                                                            │36
                                                            │37
                                                            │38
                                                            │39
                                                            │40
                                                            │41
                                                            │42
                                                            │43
                                                            │44
                                                            │45
                                                            │46
                                                            │47
                                                            │48
                                                            │49
                                                            │50
                                                            │root@host:/#
[0] 0:bash*                                                                                       "host" 16:46 21-Nov-26
