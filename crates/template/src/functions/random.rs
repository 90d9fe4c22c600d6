//! What is different each time.

use data_encoding::BASE64;
use gotmpl::Value;

use super::args::Args;
use super::{Arity, Function, Outcome, made};
use crate::value::text;

const OF_COUNT: &str = "func(int) string";
const DIGITS: &str = "0123456789";
const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

pub(super) const FUNCTIONS: &[Function] = &[
    made(
        "randAlphaNum",
        Arity::Exactly(1),
        OF_COUNT,
        "{{ randAlphaNum 8 }}",
        "Returns so many random letters and digits.",
        |args| pick(args, &[DIGITS, LETTERS].concat()),
    ),
    made(
        "randAlpha",
        Arity::Exactly(1),
        OF_COUNT,
        "{{ randAlpha 8 }}",
        "Returns so many random letters.",
        |args| pick(args, LETTERS),
    ),
    made(
        "randNumeric",
        Arity::Exactly(1),
        OF_COUNT,
        "{{ randNumeric 8 }}",
        "Returns so many random digits.",
        |args| pick(args, DIGITS),
    ),
    made(
        "randAscii",
        Arity::Exactly(1),
        OF_COUNT,
        "{{ randAscii 8 }}",
        "Returns so many random characters that can be printed.",
        |args| pick(args, &(' '..='~').collect::<String>()),
    ),
    made(
        "randBytes",
        Arity::Exactly(1),
        OF_COUNT,
        "{{ randBytes 16 }}",
        "Returns so many random bytes, in base 64.",
        |args| {
            let mut bytes = vec![0; args.count(0)?];
            fill(&mut bytes)?;
            Ok(text(BASE64.encode(&bytes)))
        },
    ),
    made(
        "randInt",
        Arity::Exactly(2),
        "func(int, int) int",
        "{{ randInt 1 7 }}",
        "Returns a random number from the first argument up to, not including, the second.",
        rand_int,
    ),
    made(
        "shuffle",
        Arity::Exactly(1),
        "func(string) string",
        "{{ shuffle \"abc\" }}",
        "Returns the characters of a text in random order.",
        shuffle,
    ),
    made(
        "uuidv4",
        Arity::Exactly(0),
        "func() string",
        "{{ uuidv4 }}",
        "Returns a random UUID.",
        |_| Ok(text(uuid::Uuid::new_v4().to_string())),
    ),
];

/// Fills `bytes` with what cannot be foreseen.
pub(super) fn fill(bytes: &mut [u8]) -> Result<(), String> {
    getrandom::fill(bytes).map_err(|error| format!("no random bytes: {error}"))
}

/// Returns a number below `end`, each as likely as the others.
fn below(end: u64) -> Result<u64, String> {
    let fair = u64::MAX - u64::MAX % end;
    loop {
        let mut bytes = [0; 8];
        fill(&mut bytes)?;
        let number = u64::from_le_bytes(bytes);
        if number < fair {
            return Ok(number % end);
        }
    }
}

fn pick(args: &Args<'_>, from: &str) -> Outcome {
    let count = args.count(0)?;
    args.pay(200 * count as u64)?;
    let from = from.as_bytes();
    let picked = (0..count)
        .map(|_| {
            let at = usize::try_from(below(from.len() as u64)?).unwrap_or(0);
            Ok(char::from(from[at]))
        })
        .collect::<Result<String, String>>()?;
    Ok(text(picked))
}

fn rand_int(args: &Args<'_>) -> Outcome {
    let (from, to) = (args.int(0), args.int(1));
    if to <= from {
        return Err(format!("{to} is not larger than {from}"));
    }
    let offset = below(from.abs_diff(to))?;
    Ok(Value::Int(from.wrapping_add_unsigned(offset)))
}

fn shuffle(args: &Args<'_>) -> Outcome {
    let mut chars: Vec<char> = args.string(0)?.chars().collect();
    args.pay(200 * chars.len() as u64)?;
    for at in (1..chars.len()).rev() {
        let other = usize::try_from(below(at as u64 + 1)?).unwrap_or(0);
        chars.swap(at, other);
    }
    Ok(text(chars.into_iter().collect::<String>()))
}
