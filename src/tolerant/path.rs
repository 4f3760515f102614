//! The way to a value.

use std::{cell::Cell, fmt};

/// The way to a value, kept on the stack and written only when it is needed.
pub(crate) struct Path<'p> {
    parent: Option<&'p Self>,
    part: Part<'p>,
    /// Levels below the payload.
    depth: u8,
    /// Whether the value is JSON of any form.
    any: Cell<bool>,
    /// Whether it was noted that a part of the value is nested too deep.
    noted: Cell<bool>,
}

/// Characters of a name that are written: nobody reads a path of megabytes.
const LONGEST: usize = 120;

enum Part<'p> {
    Top,
    Member(&'p str),
    Entry(usize),
}

impl<'p> Path<'p> {
    pub const fn top() -> Self {
        Self { parent: None, part: Part::Top, depth: 0, any: Cell::new(false), noted: Cell::new(false) }
    }

    /// A member of the envelope, on the way to the payload.
    pub fn outside(parent: &'p Self, name: &'p str) -> Self {
        Self { depth: 0, ..Self::member(parent, name) }
    }

    pub(super) fn member(parent: &'p Self, name: &'p str) -> Self {
        Self::below(parent, Part::Member(name))
    }

    pub(super) fn entry(parent: &'p Self, index: usize) -> Self {
        Self::below(parent, Part::Entry(index))
    }

    fn below(parent: &'p Self, part: Part<'p>) -> Self {
        Self { parent: Some(parent), part, depth: parent.depth.saturating_add(1), ..Self::top() }
    }

    pub(super) fn depth(&self) -> u8 {
        self.depth
    }

    /// The value is JSON of any form.
    pub(super) fn mark_any(&self) {
        self.any.set(true);
    }

    /// Whether this is the first time that a part of the value is nested too deep.
    pub(super) fn mark_noted(&self) -> bool {
        !self.noted.replace(true)
    }

    /// The outermost value of any form, from this depth on, that this is part of.
    pub(super) fn within(&self, depth: u8) -> &Self {
        let outer = self.parent.map(|parent| parent.within(depth));
        outer.filter(|outer| outer.any.get() && outer.depth >= depth).unwrap_or(self)
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parent = self.parent.filter(|parent| !matches!(parent.part, Part::Top));
        match (parent, &self.part) {
            (_, Part::Top) => f.write_str("."),
            (None, Part::Member(name)) => write!(f, "{name:.LONGEST$}"),
            (Some(parent), Part::Member(name)) => write!(f, "{parent}.{name:.LONGEST$}"),
            (None, Part::Entry(index)) => write!(f, ".[{index}]"),
            (Some(parent), Part::Entry(index)) => write!(f, "{parent}[{index}]"),
        }
    }
}
