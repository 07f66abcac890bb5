//! Points and boxes in frame pixels.

/// A point in pixels; origin at the top-left corner, x to the right, y down.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PointPx {
    /// Pixels from the left edge.
    pub x: f32,
    /// Pixels from the top edge.
    pub y: f32,
}

/// An upright rectangle in pixels; may reach outside the frame.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BoxPx {
    /// Left edge.
    pub left: f32,
    /// Top edge.
    pub top: f32,
    /// Right edge.
    pub right: f32,
    /// Bottom edge.
    pub bottom: f32,
}

impl BoxPx {
    /// Pixels from left to right; never negative.
    #[must_use]
    pub fn width(&self) -> f32 {
        (self.right - self.left).max(0.0)
    }

    /// Pixels from top to bottom; never negative.
    #[must_use]
    pub fn height(&self) -> f32 {
        (self.bottom - self.top).max(0.0)
    }

    /// Square pixels.
    #[must_use]
    pub fn area(&self) -> f32 {
        self.width() * self.height()
    }

    /// The middle.
    #[must_use]
    pub fn center(&self) -> PointPx {
        PointPx { x: f32::midpoint(self.left, self.right), y: f32::midpoint(self.top, self.bottom) }
    }

    /// The common part, empty (zero size) when there is none.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let left = self.left.max(other.left);
        let top = self.top.max(other.top);
        Self { left, top, right: self.right.min(other.right).max(left), bottom: self.bottom.min(other.bottom).max(top) }
    }

    /// Intersection over union, 0..=1; 0 when both are empty.
    #[must_use]
    pub fn iou(&self, other: &Self) -> f32 {
        let common = self.intersection(other).area();
        let union = self.area() + other.area() - common;
        if union > 0.0 { common / union } else { 0.0 }
    }

    /// Whether a point lies inside or on an edge.
    #[must_use]
    pub fn contains(&self, point: &PointPx) -> bool {
        (self.left..=self.right).contains(&point.x) && (self.top..=self.bottom).contains(&point.y)
    }

    /// Whether every edge is a finite number.
    #[must_use]
    pub fn is_finite(&self) -> bool {
        [self.left, self.top, self.right, self.bottom].iter().all(|edge| edge.is_finite())
    }
}

#[cfg(test)]
mod tests {
    use super::BoxPx;

    #[test]
    fn overlap_is_symmetric_and_bounded() {
        let a = BoxPx { left: 0.0, top: 0.0, right: 10.0, bottom: 10.0 };
        let b = BoxPx { left: 5.0, top: 0.0, right: 15.0, bottom: 10.0 };
        assert!((a.iou(&b) - 1.0 / 3.0).abs() < 1e-6);
        assert!((a.iou(&b) - b.iou(&a)).abs() < 1e-6);
        assert!((a.iou(&a) - 1.0).abs() < 1e-6);
        assert!(a.iou(&BoxPx::default()).abs() < 1e-6);
    }
}
