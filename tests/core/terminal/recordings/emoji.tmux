21 13
user@host:/# printf '👍🏽 👨‍👩‍👧 🇩🇪 1️⃣ ❤️ 🏳️‍🌈 ไทย नमस्ते ẹ́ ｶﾞ Ａ한|
> '
👍🏽 👨‍👩‍👧 🇩🇪 1️⃣ ❤️ 🏳️‍🌈 ไทย नमस्ते ẹ́ ｶﾞ Ａ한|
user@host:/# for i in $(seq 12); do printf '%*s漢字🙂|
> ' $((i*7)) ''; done
       漢字🙂|
              漢字🙂|
                     漢字🙂|
                            漢字🙂|
                                   漢字🙂|
                                          漢字🙂|
                                                 漢字🙂|
                                                        漢字🙂|
                                                               漢字🙂|
                                                                      漢字🙂|
                                                                             漢
字🙂|

    漢字🙂|
user@host:/# ech字 漢
bash: ech字: command not found
user@host:/#


