//! Hash: a worker answers the sum of each block of keys (`wire/hash.rs`). Which function it has is not asked
//! here: a sum has to be that of the keys' own sums, always the same, and another one for other keys. What a
//! function's hashes are, its own tests know.

use ringside_wire::hash::{ANSWER_BYTES, Answer, BLOCK_BYTES, Block, KEYS_MAX, LENGTH_MAX, fold};

use crate::case::{Case, Failure, Target, ensure};
use crate::client::Client;

/// Every case of the family.
pub fn cases() -> &'static [Case] {
    CASES
}

const CASES: &[Case] = &[
    Case {
        name: "same_block_has_same_sum",
        about: "A block has one sum, however often and on whatever connection it is asked for.",
        needs: &[],
        run: same_block_has_same_sum,
    },
    Case {
        name: "sum_of_a_block_is_folded_from_its_keys",
        about: "A block of many keys has the sum that is folded from blocks of one key each.",
        needs: &[],
        run: sum_of_a_block_is_folded_from_its_keys,
    },
    Case {
        name: "other_keys_have_other_sums",
        about: "Blocks that differ in seed, length or number of keys have different sums.",
        needs: &[],
        run: other_keys_have_other_sums,
    },
    Case {
        name: "split_blocks_are_answered",
        about: "A block that comes byte by byte is answered as if it had come at once.",
        needs: &[],
        run: split_blocks_are_answered,
    },
    Case {
        name: "pipelined_blocks_are_answered_in_order",
        about: "Blocks that are sent together are answered in order, each with its tag.",
        needs: &[],
        run: pipelined_blocks_are_answered_in_order,
    },
    Case {
        name: "largest_keys_are_hashed",
        about: "Keys of 4096 bytes at places up to the last one are hashed.",
        needs: &[],
        run: largest_keys_are_hashed,
    },
    Case {
        name: "bad_blocks_are_refused",
        about: "A block out of bounds, and what is no block, is refused with its tag; then the connection ends, \
                and others are served as before.",
        needs: &[],
        run: bad_blocks_are_refused,
    },
    Case {
        name: "half_closed_connection_gets_its_answers",
        about: "What was asked before the end of the stream is answered, then the stream ends; a part of a block \
                is not answered.",
        needs: &[],
        run: half_closed_connection_gets_its_answers,
    },
];

const BLOCK: Block = Block {
    length: 64,
    keys: 100,
    seed: 0x5eed,
    tag: 1,
};

fn written(blocks: &[Block]) -> Vec<u8> {
    let mut bytes = Vec::new();
    blocks.iter().for_each(|block| block.write(&mut bytes));
    bytes
}

fn answer(client: &mut Client) -> Result<Answer, Failure> {
    let bytes = client.take(ANSWER_BYTES)?;
    let bytes = bytes.first_chunk().expect("so many were taken");
    Answer::read(bytes).ok_or_else(|| Failure::new(format!("{bytes:x?} is no answer")))
}

/// The sum of a block that was sent.
fn sum_of(client: &mut Client, block: &Block) -> Result<u64, Failure> {
    match answer(client)? {
        Answer::Sum { tag, sum } if tag == block.tag => Ok(sum),
        other => Err(Failure::new(format!(
            "expected the sum of {block:?}, {other:?} came"
        ))),
    }
}

fn ask(client: &mut Client, block: Block) -> Result<u64, Failure> {
    client.send(&written(&[block]))?;
    sum_of(client, &block)
}

fn same_block_has_same_sum(target: &Target) -> Result<(), Failure> {
    let first = ask(&mut Client::connect(target)?, BLOCK)?;
    let mut client = Client::connect(target)?;
    for tag in [0, 7, u64::MAX] {
        // Something else in between must not matter.
        ask(&mut client, Block { seed: tag, ..BLOCK })?;
        let again = ask(&mut client, Block { tag, ..BLOCK })?;
        ensure(again == first, || {
            format!("the sum was {first:x}, then {again:x}")
        })?;
    }
    Ok(())
}

fn sum_of_a_block_is_folded_from_its_keys(target: &Target) -> Result<(), Failure> {
    let mut client = Client::connect(target)?;
    for length in [1, 7, 8, 63, 64, 1000, LENGTH_MAX] {
        // The second one goes on behind the largest seed.
        for seed in [BLOCK.seed, u64::MAX - 3] {
            let block = Block {
                length,
                seed,
                keys: 20,
                ..BLOCK
            };
            let whole = ask(&mut client, block)?;
            let mut folded = 0;
            for index in 0..block.keys.into() {
                let seed = seed.wrapping_add(index);
                folded = fold(
                    folded,
                    ask(
                        &mut client,
                        Block {
                            seed,
                            keys: 1,
                            ..block
                        },
                    )?,
                );
            }
            ensure(whole == folded, || {
                format!("{block:?} has the sum {whole:x}, its keys have {folded:x}")
            })?;
        }
    }
    Ok(())
}

fn other_keys_have_other_sums(target: &Target) -> Result<(), Failure> {
    let mut client = Client::connect(target)?;
    let seeds = (0..200).map(|seed| Block { seed, ..BLOCK });
    let lengths = (1..=200).filter(|&length| length != BLOCK.length);
    let lengths = lengths.map(|length| Block { length, ..BLOCK });
    let counts = (1..BLOCK.keys).map(|keys| Block { keys, ..BLOCK });
    let blocks = seeds.chain(lengths).chain(counts);
    let mut sums = blocks
        .map(|block| ask(&mut client, block))
        .collect::<Result<Vec<_>, _>>()?;
    let count = sums.len();
    sums.sort_unstable();
    sums.dedup();
    ensure(sums.len() == count, || {
        format!("{count} different blocks have {} sums", sums.len())
    })
}

fn split_blocks_are_answered(target: &Target) -> Result<(), Failure> {
    let mut client = Client::connect(target)?;
    let expected = ask(&mut client, BLOCK)?;
    for _ in 0..3 {
        client.send_bytewise(&written(&[BLOCK]))?;
        let sum = sum_of(&mut client, &BLOCK)?;
        ensure(sum == expected, || {
            format!("the sum was {expected:x}, in pieces {sum:x}")
        })?;
    }
    Ok(())
}

fn pipelined_blocks_are_answered_in_order(target: &Target) -> Result<(), Failure> {
    let mut client = Client::connect(target)?;
    let blocks: Vec<Block> = (0..50)
        .map(|tag| Block {
            tag,
            seed: tag % 5,
            ..BLOCK
        })
        .collect();
    let mut bytes = written(&blocks);
    // The last one is not whole yet.
    let rest = bytes.split_off(bytes.len() - 9);
    client.send(&bytes)?;
    client.send(&rest)?;
    let mut sums = Vec::new();
    for block in &blocks {
        sums.push(sum_of(&mut client, block)?);
    }
    ensure(sums.chunks(5).all(|chunk| *chunk == sums[..5]), || {
        "blocks of the same keys have different sums".to_owned()
    })
}

fn largest_keys_are_hashed(target: &Target) -> Result<(), Failure> {
    let mut client = Client::connect(target)?;
    let keys = 1000;
    for seed in (0..10).map(|part| part * u64::from(keys)) {
        let block = Block {
            length: LENGTH_MAX,
            keys,
            seed,
            ..BLOCK
        };
        ask(&mut client, block)?;
    }
    Ok(())
}

fn bad_blocks_are_refused(target: &Target) -> Result<(), Failure> {
    let mut steady = Client::connect(target)?;
    let before = ask(&mut steady, BLOCK)?;
    let sizes = [
        (0, 1),
        (1, 0),
        (LENGTH_MAX + 1, 1),
        (1, KEYS_MAX + 1),
        (LENGTH_MAX, KEYS_MAX),
        (u32::MAX, u32::MAX),
    ];
    let mut bad: Vec<Vec<u8>> = sizes
        .into_iter()
        .map(|(length, keys)| Block {
            length,
            keys,
            ..BLOCK
        })
        .map(|block| written(&[block]))
        .collect();
    for at in [0, 3, 13] {
        let mut bytes = written(&[BLOCK]);
        bytes[at] ^= 0x40;
        bad.push(bytes);
    }
    for bytes in bad {
        let mut client = Client::connect(target)?;
        // What stands behind it must not be taken for a block.
        client.send(&[bytes, written(&[BLOCK])].concat())?;
        let came = answer(&mut client)?;
        ensure(came == Answer::Refused { tag: BLOCK.tag }, || {
            format!("expected a refusal, {came:?} came")
        })?;
        client.expect_end()?;
    }
    let behind = ask(&mut steady, BLOCK)?;
    ensure(before == behind, || "another connection changed".to_owned())
}

fn half_closed_connection_gets_its_answers(target: &Target) -> Result<(), Failure> {
    let mut client = Client::connect(target)?;
    let blocks = [0, 1, 2].map(|tag| Block { tag, ..BLOCK });
    let mut bytes = written(&blocks);
    bytes.truncate(3 * BLOCK_BYTES - 1);
    client.send(&bytes)?;
    client.finish()?;
    for block in &blocks[..2] {
        sum_of(&mut client, block)?;
    }
    client.expect_end()
}
