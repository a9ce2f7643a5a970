//! SHA-256 (FIPS 180-4), for comparing long texts with a golden digest.

/// The digest of `message` in lower-case hexadecimal.
pub fn hex(message: &[u8]) -> String {
    let primes: Vec<u64> = (2..312).filter(|n| (2..*n).all(|d| n % d != 0)).collect();
    // The first 32 bits of the fractions of square and cube roots of primes, as the standard defines them.
    let mut state: Vec<u32> = primes[..8].iter().map(|p| root_fraction(*p, 2)).collect();
    let constants: Vec<u32> = primes.iter().map(|p| root_fraction(*p, 3)).collect();
    let mut padded = message.to_vec();
    padded.push(0x80);
    while padded.len() % 64 != 56 {
        padded.push(0);
    }
    padded.extend((message.len() as u64 * 8).to_be_bytes());
    for block in padded.chunks(64) {
        let mut w: Vec<u32> = block
            .chunks(4)
            .map(|b| u32::from_be_bytes(b.try_into().unwrap()))
            .collect();
        for t in 16..64 {
            let (x, y) = (w[t - 15], w[t - 2]);
            let s0 = x.rotate_right(7) ^ x.rotate_right(18) ^ (x >> 3);
            let s1 = y.rotate_right(17) ^ y.rotate_right(19) ^ (y >> 10);
            w.push(
                w[t - 16]
                    .wrapping_add(s0)
                    .wrapping_add(w[t - 7])
                    .wrapping_add(s1),
            );
        }
        let mut v = state.clone();
        for t in 0..64 {
            let s1 = v[4].rotate_right(6) ^ v[4].rotate_right(11) ^ v[4].rotate_right(25);
            let choice = (v[4] & v[5]) ^ (!v[4] & v[6]);
            let t1 = [s1, choice, constants[t], w[t]]
                .into_iter()
                .fold(v[7], u32::wrapping_add);
            let s0 = v[0].rotate_right(2) ^ v[0].rotate_right(13) ^ v[0].rotate_right(22);
            let majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
            v.rotate_right(1);
            v[4] = v[4].wrapping_add(t1);
            v[0] = t1.wrapping_add(s0).wrapping_add(majority);
        }
        for (sum, v) in state.iter_mut().zip(v) {
            *sum = sum.wrapping_add(v);
        }
    }
    state
        .iter()
        .map(|word| format!("{word:08x}"))
        .collect::<Vec<_>>()
        .concat()
}

/// floor(2^32 · p^(1/k)) mod 2^32: the largest r with r^k ≤ p · 2^(32 k), bit by bit.
fn root_fraction(p: u64, k: u32) -> u32 {
    let mut root = 0_u128;
    for bit in (0..37).rev() {
        let next = root | 1 << bit;
        if next.pow(k) <= u128::from(p) << (32 * k) {
            root = next;
        }
    }
    root as u32
}
