//! A fast 128-bit fingerprint of bytes, to see that a list is the one that was seen before.
//!
//! Not for secrets: whoever can make two lists collide could as well send the same list twice.

use infrakit_spi::instance::Fingerprint;

/// Odd constants with as many ones as zeros, taken from the fraction of the golden ratio and of
/// the square roots of 2, 3 and 5.
const KEYS: [u64; 4] = [
    0x9E37_79B9_7F4A_7C15,
    0x6A09_E667_F3BC_C909,
    0xBB67_AE85_84CA_A73B,
    0x3C6E_F372_FE94_F82B,
];

/// Returns the fingerprint of `bytes`: two lanes, each folding 16 bytes a step by one wide
/// multiplication.
pub(crate) fn fingerprint(bytes: &[u8]) -> Fingerprint {
    let [mut left, mut right] = [KEYS[0], KEYS[1]];
    let (steps, rest) = bytes.as_chunks::<16>();
    for step in steps {
        (left, right) = mix(left, right, *step);
    }
    let mut last = [0; 16];
    last[..rest.len()].copy_from_slice(rest);
    (left, right) = mix(left, right, last);
    // The length tells a short rest from one that ends in zeros.
    let length = bytes.len() as u64;
    left = fold(left ^ length, KEYS[2]);
    right = fold(right ^ length, KEYS[3]);
    Fingerprint([
        fold(left ^ KEYS[1], right ^ KEYS[0]),
        fold(right, left ^ KEYS[3]),
    ])
}

fn mix(left: u64, right: u64, step: [u8; 16]) -> (u64, u64) {
    let word = u128::from_le_bytes(step);
    let (low, high) = (word as u64, (word >> 64) as u64);
    // Crossed, so that a word that cancels one lane's key leaves its mark in the other.
    (
        fold(low ^ KEYS[2], high ^ left).wrapping_add(low),
        fold(high ^ KEYS[3], low ^ right.rotate_left(29)).wrapping_add(high),
    )
}

fn fold(a: u64, b: u64) -> u64 {
    let wide = u128::from(a) * u128::from(b);
    (wide as u64) ^ ((wide >> 64) as u64)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_byte_and_the_length_count() {
        let text: Vec<u8> = (0..200u8).collect();
        let mut seen = HashSet::new();
        for length in 0..text.len() {
            assert!(seen.insert(fingerprint(&text[..length]).0));
            assert!(seen.insert(fingerprint(&[&text[..length], &[0][..], b"x"].concat()).0));
        }
        for at in 0..text.len() {
            for bit in 0..8 {
                let mut other = text.clone();
                other[at] ^= 1 << bit;
                assert!(seen.insert(fingerprint(&other).0), "{at} {bit}");
            }
        }
        assert_eq!(fingerprint(&text), fingerprint(&text.clone()));
        for lane in 0..2 {
            let lanes: HashSet<u64> = seen.iter().map(|both| both[lane]).collect();
            assert_eq!(lanes.len(), seen.len());
        }
    }

    #[test]
    fn swapped_parts_differ() {
        let (a, b) = ([1u8; 16], [2u8; 16]);
        assert_ne!(fingerprint(&[a, b].concat()), fingerprint(&[b, a].concat()));
    }
}
