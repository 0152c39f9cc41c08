//! Floating point by the processor, and without it.

use const_soft_float::soft_f64::SoftF64;

/// A number of 64 bits, IEEE 754.
pub(crate) trait Float: Copy + Send + Sync + 'static {
    /// The same number.
    fn of(number: f64) -> Self;

    /// `self * factor + term`, rounded twice.
    fn multiplied_and_added(self, factor: Self, term: Self) -> Self;

    /// Its bits.
    fn bits(self) -> u64;
}

/// As the processor computes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hard(f64);

impl Float for Hard {
    fn of(number: f64) -> Self {
        Self(number)
    }

    #[inline]
    fn multiplied_and_added(self, factor: Self, term: Self) -> Self {
        Self(self.0 * factor.0 + term.0)
    }

    fn bits(self) -> u64 {
        self.0.to_bits()
    }
}

/// With whole numbers, by the algorithms of LLVM's compiler-rt in the form that Rust's own run-time library had them. Products
/// under 2^-1022 are off by one unit in the last place in that form, which no loop here comes near.
#[derive(Clone, Copy)]
pub(crate) struct Soft(SoftF64);

impl Float for Soft {
    fn of(number: f64) -> Self {
        Self(SoftF64::from_bits(number.to_bits()))
    }

    #[inline]
    fn multiplied_and_added(self, factor: Self, term: Self) -> Self {
        Self(self.0.mul(factor.0).add(term.0))
    }

    fn bits(self) -> u64 {
        self.0.to_bits()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::Random;

    /// Both results of one sum, as bits; any NaN is as good as another.
    fn both(a: f64, b: f64, c: f64) -> [u64; 2] {
        fn bits<F: Float>([a, b, c]: [f64; 3]) -> u64 {
            F::of(a).multiplied_and_added(F::of(b), F::of(c)).bits()
        }
        let canonical = |bits: u64| {
            let is_nan = f64::from_bits(bits).is_nan();
            if is_nan { f64::NAN.to_bits() } else { bits }
        };
        [bits::<Hard>([a, b, c]), bits::<Soft>([a, b, c])].map(canonical)
    }

    /// Of either sign, from 2^-256 up to 2^256.
    fn number(random: &mut Random) -> f64 {
        let (fraction, sign) = (random.word() >> 12, random.word() << 63);
        let exponent = u64::from(1023 - 256 + random.below(512));
        f64::from_bits(sign | exponent << 52 | fraction)
    }

    #[test]
    fn both_compute_the_same_bits() {
        let edges = [
            0.0,
            -0.0,
            1.0,
            -1.5,
            f64::MIN_POSITIVE,
            f64::from_bits(1),
            f64::MAX,
            f64::INFINITY,
            f64::NAN,
        ];
        for a in edges {
            for b in edges {
                for c in edges {
                    let [hard, soft] = both(a, b, c);
                    assert_eq!(hard, soft, "{a:e} * {b:e} + {c:e}");
                }
            }
        }
        let mut random = Random::new(3, 0);
        for _ in 0..100_000 {
            let [a, b, c] = [(); 3].map(|()| number(&mut random));
            let [hard, soft] = both(a, b, c);
            assert_eq!(hard, soft, "{a:e} * {b:e} + {c:e}");
        }
    }
}
