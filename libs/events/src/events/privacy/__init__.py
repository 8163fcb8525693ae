"""Personal data (promise 8): sealed with a key of the person's own before it reaches the store.

Crypto-shredding: whoever destroys the one key makes unreadable whatever was sealed with it, in the store, on the
topics, parked, and in every copy of them (PIPL article 47; GB/T 35273 8.3 and 3.9: deletion means no longer to be had).
Keys are kept by envelope encryption: each is wrapped with a key-encryption key from outside the database.

| module | what it does |
|---|---|
| `fields` | says of an event's field that it is personal, whose, and what stands in its place once they are erased |
| `sealing` | seals and opens a value: pure |
| `codec` | seals an event's fields and opens them: pure |
| `keys` | the table of the persons' keys: made at first use, kept in memory for seconds, destroyed for ever |
| `vault` `ring` `transit` | wrapping keys: the port; a ring of keys from a file; Vault's Transit engine |
| `data` | what the kernel calls: keys fetched first, then events opened or sealed |
| `client` | other services' keys, asked of them with a purpose |
| `rotation` `erasure` | all keys under the newest key-encryption key; what is left of somebody besides events |
| `blind_index` | finding somebody by a number that is not kept |
"""
