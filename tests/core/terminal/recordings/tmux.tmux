3 10
    local  share                   [0/2]│root@host:/# echo right
bin                games  lib      libex│right
ec  sbin   src                          │root@host:/#
bash-5.2#                               │
                                        │
                                        │
                                        │
                                        │
                                        │
                                        │
                                        │
                                        ├───────────────────────────────────────
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
[0] 0:bash*                                               "host" 12:18 21-Nov-26
