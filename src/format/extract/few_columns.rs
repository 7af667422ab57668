//! A few columns of lines that are written as most are: one byte between columns, and no quotes.
//!
//! Not here: any other line, of which nothing is said. Invariant: what is found is what `Columns` finds.

use super::columns::{Columns, Quotes, Separator, trimmed};
use super::marks::{Byte, mask_at};
use crate::model::lanes::{Lanes, WIDE, on_widest_lanes};

/// The separators of a line that are remembered: columns behind them are not found.
const MOST: usize = 32;

/// So many columns of each line.
#[derive(Debug)]
pub struct FewColumns<const N: usize> {
    separator: u8,
    /// Whether a quote in a line may be more than a byte like any other.
    may_have_quotes: bool,
    /// Whether blanks around columns are no part of them.
    trim: bool,
    columns: [usize; N],
    /// The last one of them.
    last: usize,
    /// How many columns there are at least, and at most.
    count: (usize, usize),
}

impl<const N: usize> FewColumns<N> {
    /// What finds the columns of these slots, of lines that have that of `needed`, too. `None` if
    /// lines are written in a way that takes more than a look at separators.
    pub fn of(all: &Columns, slots: [usize; N], needed: Option<usize>) -> Option<Self> {
        let (spec, wanted, count) = all.parts();
        let Separator::Byte(separator) = spec.separator else { return None };
        let is_plain = !spec.trailing && spec.quotes != Quotes::Web;
        let column = |slot: usize| Some(wanted.iter().find(|(_, other)| *other as usize == slot)?.0);
        let mut columns = [0; N];
        for (place, slot) in columns.iter_mut().zip(slots) {
            *place = column(slot)?;
        }
        let last = columns.iter().copied().max()?;
        let needed = needed.map_or(Some(0), column)?;
        let count = count.map_or((last.max(needed) + 1, usize::MAX), |count| (count, count));
        (is_plain && last < MOST && last < count.0).then_some(FewColumns {
            separator,
            may_have_quotes: spec.quotes == Quotes::Csv,
            trim: spec.trim,
            columns,
            last,
            count,
        })
    }

    /// Where they begin and end in a line; `None` if it is not written as most are.
    #[inline]
    pub fn find(&self, line: &[u8]) -> Option<[(usize, usize); N]> {
        on_widest_lanes!(lanes => lanes.within(
            #[inline(always)]
            || self.find_by(lanes, line)
        ))
    }

    #[inline(always)]
    fn find_by(&self, lanes: impl Lanes, line: &[u8]) -> Option<[(usize, usize); N]> {
        let mut ends = [0u32; MOST];
        let (mut known, mut separators, mut base) = (0, 0, 0);
        while base < line.len() {
            if self.may_have_quotes && mask_at(line, lanes, Byte(b'"'), base) != 0 {
                return None;
            }
            let mut here = mask_at(line, lanes, Byte(self.separator), base);
            separators += here.count_ones() as usize;
            while here != 0 && known <= self.last {
                *ends.get_mut(known)? = base as u32 + here.trailing_zeros();
                known += 1;
                here &= here - 1;
            }
            base += WIDE;
        }
        // The last column ends with the line.
        if known <= self.last {
            *ends.get_mut(known)? = u32::try_from(line.len()).ok()?;
            known += 1;
        }
        if known <= self.last || separators + 1 < self.count.0 || separators + 1 > self.count.1 {
            return None;
        }
        let mut found = [(0, 0); N];
        for (place, column) in found.iter_mut().zip(&self.columns) {
            let start = if *column == 0 { 0 } else { ends.get(*column - 1).map_or(0, |end| *end as usize + 1) };
            let end = ends.get(*column).map_or(0, |end| *end as usize);
            *place = if self.trim { trimmed(line, start, end) } else { (start, end) };
        }
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::extract::ColumnsSpec;
    use crate::format::extract::Fields;
    use proptest::prelude::*;

    fn columns(quotes: Quotes, wanted: &[usize], count: Option<usize>) -> Columns {
        trimming(quotes, false, wanted, count)
    }

    fn trimming(quotes: Quotes, trim: bool, wanted: &[usize], count: Option<usize>) -> Columns {
        let spec = ColumnsSpec { separator: Separator::Byte(b','), quotes, trim, trailing: false };
        Columns::new(spec, wanted, count)
    }

    #[test]
    fn lines_that_take_more_are_told() {
        let of = |spec: ColumnsSpec| FewColumns::of(&Columns::new(spec, &[1, 0], None), [0, 1], None);
        let plain =
            ColumnsSpec { separator: Separator::Byte(b','), quotes: Quotes::None, trim: false, trailing: false };
        assert!(of(plain.clone()).is_some());
        assert!(of(ColumnsSpec { trim: true, ..plain.clone() }).is_some());
        assert!(of(ColumnsSpec { trailing: true, ..plain.clone() }).is_none());
        assert!(of(ColumnsSpec { quotes: Quotes::Web, ..plain.clone() }).is_none());
        assert!(of(ColumnsSpec { separator: Separator::Blanks, ..plain }).is_none());
        assert!(FewColumns::of(&columns(Quotes::None, &[MOST - 1], None), [0], None).is_some());
        assert!(FewColumns::of(&columns(Quotes::None, &[MOST], None), [0], None).is_none());
        assert!(FewColumns::of(&columns(Quotes::None, &[0], None), [1], None).is_none());
        let few = FewColumns::of(&columns(Quotes::Csv, &[1, 0], None), [0, 1], None).unwrap();
        assert_eq!(few.find(b"a,bc,d"), Some([(2, 4), (0, 1)]));
        assert_eq!((few.find(b"a,\"b\""), few.find(b"a")), (None, None));
        assert_eq!(few.find(b"a, b ,d"), Some([(2, 5), (0, 1)]));
        let few = FewColumns::of(&trimming(Quotes::Csv, true, &[1, 0], None), [0, 1], None).unwrap();
        assert_eq!(few.find(b"\ta, b c ,d"), Some([(4, 7), (1, 2)]));
        assert_eq!(few.find(b"a,  "), Some([(4, 4), (0, 1)]));
        assert_eq!(few.find(b"a, \"b\""), None);
        assert_eq!(FewColumns::of(&columns(Quotes::None, &[0, 3], None), [0], Some(1)).unwrap().find(b"a,b,c"), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn what_is_found_is_what_columns_find(
            line in "([a-z]{0,40},?|[ \t]{0,2}|\"[a-z,]{0,3}\",?|,){0,12}",
            has_quotes: bool,
            trim: bool,
            wanted in proptest::array::uniform3(0usize..9),
            count in proptest::option::of(1usize..9),
        ) {
            let quotes = if has_quotes { Quotes::Csv } else { Quotes::None };
            let all = trimming(quotes, trim, &wanted, count);
            let Some(few) = FewColumns::of(&all, [0, 1, 2], None) else { return Ok(()) };
            let mut fields = Fields::default();
            fields.reset(3);
            let line = line.as_bytes();
            let is_fit = all.extract(line, &mut fields).is_ok();
            match few.find(line) {
                Some(found) => {
                    prop_assert!(is_fit);
                    for (slot, (start, end)) in found.into_iter().enumerate() {
                        prop_assert_eq!(fields.get(slot, line), Some(&line[start..end]));
                    }
                }
                // Whatever has all columns and no quotes is found.
                None => {
                    let has_all = is_fit && (0..3).all(|slot| fields.get(slot, line).is_some());
                    prop_assert!(!has_all || line.contains(&b'"'));
                }
            }
        }
    }
}
