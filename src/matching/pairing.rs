//! Which document of one side goes with which of the other.

use std::{
    cmp::Ordering,
    collections::{HashMap, HashSet},
};

use compact_str::CompactString;

use super::{
    Document, Entry, Kind, Reason, Tolerance, Verdict,
    compare::{amounts_agree, by_content, day_number, differences, distance, same_content, verdict},
    number::{Nearness, bare, nearness, normalised},
};
use crate::values::Decimal;

/// Documents of one supplier, day and amount that are looked at for a probable
/// match. Where there are more, none can be told from the others.
const ALIKE: usize = 16;

/// Most days apart that are looked at for a probable match.
const WINDOW: u16 = 31;

/// Most days that bills of entry are apart of which one has a part of the other's
/// number: the day of the bill and that of clearance are taken for each other.
const CLEARANCE: u16 = 10;

/// Most documents of one key, or of one supplier, day and amount, that are
/// compared with each other.
const SAME_KEY: usize = 64;

/// Compares a register with GSTN's documents. Each document of both sides is
/// in one entry: those of the register first, in their order, then those that only GSTN has.
#[must_use]
pub fn reconcile(register: &[Document], gstn: &[Document], tolerance: &Tolerance) -> Vec<Entry> {
    let sides = Sides { register: Side::new(register), gstn: Side::new(gstn), tolerance };
    let mut entries = Vec::with_capacity(register.len().max(gstn.len()));
    let rest = sides.by_key(&mut entries);
    let rest = sides.incomplete(rest, &mut entries);
    let rest = sides.probable(rest, &mut entries);
    let single = |register, gstn, verdict| Entry { register, gstn, verdict };
    entries.extend(rest.register.into_iter().map(|at| single(Some(at), None, Verdict::OnlyInRegister)));
    entries.extend(rest.gstn.into_iter().map(|at| single(None, Some(at), Verdict::OnlyAtGstn)));
    entries.sort_unstable_by_key(|entry| (entry.register.is_none(), entry.register, entry.gstn));
    entries
}

/// Places of documents that have no partner yet.
#[derive(Default)]
struct Rest {
    register: Vec<usize>,
    gstn: Vec<usize>,
}

impl Rest {
    /// Those that are in none of the pairs.
    fn without(self, pairs: &[(usize, usize)]) -> Self {
        let (register, gstn): (HashSet<usize>, HashSet<usize>) = pairs.iter().copied().unzip();
        Self {
            register: self.register.into_iter().filter(|at| !register.contains(at)).collect(),
            gstn: self.gstn.into_iter().filter(|at| !gstn.contains(at)).collect(),
        }
    }
}

/// What makes two documents the same, or nearly.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    /// Of a bill of entry the port, empty where it is not known.
    supplier: CompactString,
    number: CompactString,
    kind: Kind,
    year: Option<u16>,
}

impl Key {
    fn of(document: &Document) -> Self {
        let year = document.financial_year();
        let supplier = match document.kind {
            Kind::BillOfEntry => document.port_code.as_deref().unwrap_or_default(),
            _ => &document.supplier_gstin,
        };
        let supplier = supplier.trim();
        Self {
            supplier: supplier.chars().map(|c| c.to_ascii_uppercase()).collect(),
            number: normalised(&document.number, year),
            kind: document.kind,
            year,
        }
    }

    /// Whose document it is where the port of a bill of entry may be missing or wrong.
    fn party(&self) -> &str {
        if self.kind == Kind::BillOfEntry { "" } else { &self.supplier }
    }

    /// Whether a part of it is not known: the year, or the port.
    fn is_incomplete(&self) -> bool {
        self.year.is_none() || (self.kind == Kind::BillOfEntry && self.supplier.is_empty())
    }

    /// Whether the years are not known to differ.
    fn may_be_of_the_year(&self, other: &Self) -> bool {
        self.year.is_none() || other.year.is_none() || self.year == other.year
    }

    /// Whether suppliers or ports are not known to differ.
    fn may_be_of(&self, other: &Self) -> bool {
        self.supplier.is_empty() || other.supplier.is_empty() || self.supplier == other.supplier
    }

    /// The part of a GSTIN that all registrations of a person share; of anything
    /// else, all of it.
    fn pan(&self) -> &str {
        if self.kind == Kind::BillOfEntry {
            ""
        } else if self.supplier.len() == 15 && self.supplier.is_ascii() {
            &self.supplier[2..12]
        } else {
            &self.supplier
        }
    }
}

/// One side, with the key of each document.
struct Side<'a> {
    documents: &'a [Document],
    keys: Vec<Key>,
}

impl<'a> Side<'a> {
    fn new(documents: &'a [Document]) -> Self {
        Self { documents, keys: documents.iter().map(Key::of).collect() }
    }

    /// The places of all, those with one key together and equal ones in any order.
    fn sorted(&self) -> Vec<usize> {
        let mut places: Vec<usize> = (0..self.documents.len()).collect();
        places.sort_unstable_by(|one, other| self.order(*one, *other));
        places
    }

    /// An order that does not depend on places, but for documents that are equal.
    fn order(&self, one: usize, other: usize) -> Ordering {
        (self.keys[one].cmp(&self.keys[other]))
            .then_with(|| by_content(&self.documents[one], &self.documents[other]))
            .then(one.cmp(&other))
    }

    /// Splits sorted places behind those with a key.
    fn split<'p>(&self, places: &'p [usize], key: &Key) -> (&'p [usize], &'p [usize]) {
        places.split_at(places.iter().take_while(|at| self.keys[**at] == *key).count())
    }

    /// Of documents with one key, those that have no partner: either one repeats
    /// another, or it goes to the rest.
    fn repeats(
        &self,
        places: &[usize],
        mut originals: Vec<usize>,
        rest: &mut Vec<usize>,
        mut repeat: impl FnMut(usize, usize),
    ) {
        let used: HashSet<usize> = originals.iter().copied().collect();
        for at in places.iter().filter(|at| !used.contains(at)) {
            if let Some(of) = originals.iter().find(|of| self.is_repeat(*at, **of)) {
                repeat(*at, *of);
            } else {
                originals.push(*at);
                rest.push(*at);
            }
        }
    }

    /// Whether one repeats the other: the same number without punctuation, or the
    /// same day and amounts.
    fn is_repeat(&self, one: usize, other: usize) -> bool {
        let (one, other) = (&self.documents[one], &self.documents[other]);
        bare(&one.number) == bare(&other.number) || same_content(one, other)
    }
}

struct Sides<'a> {
    register: Side<'a>,
    gstn: Side<'a>,
    tolerance: &'a Tolerance,
}

/// Documents of GSTN of one supplier, kind and day.
#[derive(Default)]
struct Day {
    /// In the order of their taxable values.
    by_taxable_value: Vec<usize>,
    /// In the order of their values.
    by_value: Vec<usize>,
}

impl Day {
    fn add(&mut self, at: usize) {
        self.by_taxable_value.push(at);
        self.by_value.push(at);
    }

    fn sort(&mut self, documents: &[Document]) {
        self.by_taxable_value.sort_unstable_by_key(|at| taxable_value(&documents[*at]));
        self.by_value.sort_unstable_by_key(|at| value(&documents[*at]));
    }

    /// Those whose taxable value, or else value, is within the tolerance; none where
    /// neither can be compared and there are many.
    fn near(&self, document: &Document, documents: &[Document], tolerance: Decimal) -> &[usize] {
        let ways: [(&[usize], AmountOf); 2] =
            [(&self.by_taxable_value, taxable_value), (&self.by_value, value)];
        for (places, amount) in ways {
            // What is not known comes first.
            let all_known = places.first().is_some_and(|at| amount(&documents[*at]).is_some());
            if let Some(wanted) = amount(document).filter(|_| all_known) {
                let least = Some(wanted.saturating_sub(tolerance));
                let most = Some(wanted.saturating_add(tolerance));
                let start = places.partition_point(|at| amount(&documents[*at]) < least);
                let end = places.partition_point(|at| amount(&documents[*at]) <= most);
                return limited(&places[start..end]);
            }
        }
        limited(&self.by_value)
    }
}

fn limited(places: &[usize]) -> &[usize] {
    if places.len() > SAME_KEY { &[] } else { places }
}

type AmountOf = fn(&Document) -> Option<Decimal>;

fn taxable_value(document: &Document) -> Option<Decimal> {
    document.taxable_value.map(Decimal::from)
}

fn value(document: &Document) -> Option<Decimal> {
    document.value.map(Decimal::from)
}

/// Two documents that may be one. In order, the best is first.
struct Candidate {
    reason: Reason,
    /// Characters that differ in the numbers.
    typing: u8,
    rupees: Decimal,
    days: u32,
    register: usize,
    gstn: usize,
}

impl Sides<'_> {
    /// Pairs documents with one key, and finds those that repeat another.
    fn by_key(&self, entries: &mut Vec<Entry>) -> Rest {
        let (lefts, rights) = (self.register.sorted(), self.gstn.sorted());
        let (mut left, mut right) = (&lefts[..], &rights[..]);
        let mut rest = Rest::default();
        while let Some(key) = self.next_key(left, right) {
            let (these, others) = self.register.split(left, key);
            left = others;
            let (those, others) = self.gstn.split(right, key);
            right = others;
            let pairs = self.nearest_pairs(these, those);
            let (used, used_there): (Vec<usize>, Vec<usize>) = pairs.iter().copied().unzip();
            self.register.repeats(these, used, &mut rest.register, |at, of| {
                entries.push(Entry { register: Some(at), gstn: None, verdict: Verdict::Duplicate { of } });
            });
            self.gstn.repeats(those, used_there, &mut rest.gstn, |at, of| {
                entries.push(Entry { register: None, gstn: Some(at), verdict: Verdict::Duplicate { of } });
            });
            entries.extend(pairs.into_iter().map(|pair| self.entry(pair)));
        }
        rest
    }

    fn next_key(&self, left: &[usize], right: &[usize]) -> Option<&Key> {
        let left = left.first().map(|at| &self.register.keys[*at]);
        let right = right.first().map(|at| &self.gstn.keys[*at]);
        match (left, right) {
            (Some(left), Some(right)) => Some(left.min(right)),
            (one, other) => one.or(other),
        }
    }

    fn entry(&self, (register, gstn): (usize, usize)) -> Entry {
        let verdict = verdict(&self.register.documents[register], &self.gstn.documents[gstn], self.tolerance);
        Entry { register: Some(register), gstn: Some(gstn), verdict }
    }

    /// The nearest pairs of documents with one key.
    fn nearest_pairs(&self, left: &[usize], right: &[usize]) -> Vec<(usize, usize)> {
        if let ([left], [right]) = (left, right) {
            return vec![(*left, *right)];
        }
        let mut pairs = Vec::new();
        for (rank, left) in left.iter().take(SAME_KEY).enumerate() {
            for (other_rank, right) in right.iter().take(SAME_KEY).enumerate() {
                let (one, other) = (&self.register.documents[*left], &self.gstn.documents[*right]);
                let other_spelling = bare(&one.number) != bare(&other.number);
                pairs.push((
                    distance(one, other, self.tolerance),
                    other_spelling,
                    rank,
                    other_rank,
                    *left,
                    *right,
                ));
            }
        }
        pairs.sort_unstable();
        one_to_one(pairs.into_iter().map(|(.., left, right)| (left, right)))
    }

    /// Pairs documents that lack a part of the key on a side, the date, and with it the
    /// financial year, or the port, where one of each side has the rest of it.
    fn incomplete(&self, rest: Rest, entries: &mut Vec<Entry>) -> Rest {
        let is_incomplete = |side: &Side, at: &usize| side.keys[*at].is_incomplete();
        if !rest.register.iter().any(|at| is_incomplete(&self.register, at))
            && !rest.gstn.iter().any(|at| is_incomplete(&self.gstn, at))
        {
            return rest;
        }
        let key = |side: &Side, at: usize| {
            let key = &side.keys[at];
            (CompactString::from(key.party()), key.kind, normalised(&side.documents[at].number, None))
        };
        let mut groups: HashMap<_, Rest> = HashMap::new();
        for at in &rest.register {
            groups.entry(key(&self.register, *at)).or_default().register.push(*at);
        }
        for at in &rest.gstn {
            groups.entry(key(&self.gstn, *at)).or_default().gstn.push(*at);
        }
        let pairs: Vec<_> = groups
            .into_values()
            .filter_map(|group| match (&group.register[..], &group.gstn[..]) {
                ([one], [other]) => Some((*one, *other)),
                _ => None,
            })
            .filter(|(one, other)| is_incomplete(&self.register, one) || is_incomplete(&self.gstn, other))
            .filter(|(one, other)| {
                let (one, other) = (&self.register.keys[*one], &self.gstn.keys[*other]);
                one.may_be_of_the_year(other) && one.may_be_of(other)
            })
            .collect();
        entries.extend(pairs.iter().map(|pair| self.entry(*pair)));
        rest.without(&pairs)
    }

    /// Pairs what agrees in amounts and nearly in the key, the best first.
    fn probable(&self, rest: Rest, entries: &mut Vec<Entry>) -> Rest {
        let mut candidates = self.same_number(&rest);
        self.same_day(&rest, &mut candidates);
        candidates.sort_unstable_by(|one, other| {
            (one.reason, one.typing, one.rupees, one.days)
                .cmp(&(other.reason, other.typing, other.rupees, other.days))
                .then_with(|| self.register.order(one.register, other.register))
                .then_with(|| self.gstn.order(one.gstn, other.gstn))
        });
        let (mut used, mut used_there, mut pairs) = (HashSet::new(), HashSet::new(), Vec::new());
        for Candidate { reason, register, gstn, .. } in candidates {
            if used.contains(&register) || used_there.contains(&gstn) {
                continue;
            }
            used.insert(register);
            used_there.insert(gstn);
            pairs.push((register, gstn));
            let differences =
                differences(&self.register.documents[register], &self.gstn.documents[gstn], self.tolerance);
            let verdict = Verdict::Probable { reason, differences };
            entries.push(Entry { register: Some(register), gstn: Some(gstn), verdict });
        }
        rest.without(&pairs)
    }

    /// Candidates with the same number if one other part of the key differs.
    fn same_number(&self, rest: &Rest) -> Vec<Candidate> {
        let mut known: HashMap<(&str, &str), Vec<usize>> = HashMap::new();
        for at in &rest.gstn {
            let key = &self.gstn.keys[*at];
            known.entry((key.pan(), &key.number)).or_default().push(*at);
        }
        let mut candidates = Vec::new();
        for register in &rest.register {
            let key = &self.register.keys[*register];
            let alike = known.get(&(key.pan(), key.number.as_str())).into_iter().flatten();
            let alike = alike.filter_map(|gstn| {
                let other = &self.gstn.keys[*gstn];
                let reason =
                    match (key.supplier == other.supplier, key.kind == other.kind, key.year == other.year) {
                        (true, true, false) if key.year.is_some() && other.year.is_some() => {
                            Reason::FinancialYear
                        }
                        (true, false, true) => Reason::Kind,
                        (false, true, true) if key.kind == Kind::BillOfEntry => Reason::Port,
                        (false, true, true) => Reason::Registration,
                        _ => return None,
                    };
                self.agree(*register, *gstn).then(|| self.candidate(reason, 0, *register, *gstn))
            });
            candidates.extend(few(alike));
        }
        candidates
    }

    /// Candidates of one supplier and day with other numbers.
    fn same_day(&self, rest: &Rest, candidates: &mut Vec<Candidate>) {
        let mut known: HashMap<(&str, Kind, i32), Day> = HashMap::new();
        for at in &rest.gstn {
            if let Some(date) = self.gstn.documents[*at].date {
                let key = &self.gstn.keys[*at];
                known.entry((key.party(), key.kind, day_number(date))).or_default().add(*at);
            }
        }
        for day in known.values_mut() {
            day.sort(self.gstn.documents);
        }
        // Pairs of one day, and how often each document is in one.
        let mut alone = Vec::new();
        let (mut often, mut often_there) = (HashMap::<usize, u32>::new(), HashMap::<usize, u32>::new());
        for register in &rest.register {
            let Some(date) = self.register.documents[*register].date else { continue };
            let key = &self.register.keys[*register];
            let near = i32::from(self.tolerance.days.min(WINDOW));
            let window = match key.kind {
                Kind::BillOfEntry => near.max(i32::from(CLEARANCE)),
                _ => near,
            };
            for apart in -window..=window {
                let day = day_number(date) + apart;
                let Some(day) = known.get(&(key.party(), key.kind, day)) else { continue };
                for gstn in self.alike(*register, day) {
                    let other = &self.gstn.keys[gstn];
                    if !key.may_be_of(other) {
                        continue;
                    }
                    let numbers = (&key.number, &other.number);
                    let (reason, typing) = match nearness(numbers.0, numbers.1) {
                        Some(Nearness::Part) => (Reason::PartOfNumber, 0),
                        Some(Nearness::Typing(characters)) => (Reason::Typing, characters),
                        None => (Reason::AmountsAlone, 0),
                    };
                    let candidate = self.candidate(reason, typing, *register, gstn);
                    if apart == 0 {
                        *often.entry(*register).or_default() += 1;
                        *often_there.entry(gstn).or_default() += 1;
                    }
                    match reason {
                        Reason::AmountsAlone if apart == 0 => alone.push(candidate),
                        Reason::AmountsAlone => {}
                        Reason::Typing if apart.abs() > near => {}
                        _ => candidates.push(candidate),
                    }
                }
            }
        }
        alone.retain(|candidate| often[&candidate.register] == 1 && often_there[&candidate.gstn] == 1);
        candidates.append(&mut alone);
    }

    /// Documents of one supplier and day whose amounts agree.
    fn alike(&self, register: usize, day: &Day) -> Vec<usize> {
        let places = day.near(&self.register.documents[register], self.gstn.documents, self.tolerance.amount);
        few(places.iter().copied().filter(|gstn| self.agree(register, *gstn)))
    }

    fn agree(&self, register: usize, gstn: usize) -> bool {
        amounts_agree(&self.register.documents[register], &self.gstn.documents[gstn], self.tolerance)
    }

    fn candidate(&self, reason: Reason, typing: u8, register: usize, gstn: usize) -> Candidate {
        let (.., rupees, days) =
            distance(&self.register.documents[register], &self.gstn.documents[gstn], self.tolerance);
        Candidate { reason, typing, rupees, days, register, gstn }
    }
}

/// All, or none if there are too many to be told apart.
fn few<T>(alike: impl Iterator<Item = T>) -> Vec<T> {
    let few: Vec<T> = alike.take(ALIKE + 1).collect();
    if few.len() > ALIKE { Vec::new() } else { few }
}

/// The first pairs in which no document occurs twice.
fn one_to_one(pairs: impl Iterator<Item = (usize, usize)>) -> Vec<(usize, usize)> {
    let (mut used, mut used_there) = (HashSet::new(), HashSet::new());
    pairs
        .filter(|(left, right)| {
            let free = !used.contains(left) && !used_there.contains(right);
            if free {
                used.insert(*left);
                used_there.insert(*right);
            }
            free
        })
        .collect()
}
