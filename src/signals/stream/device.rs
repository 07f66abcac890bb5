//! Labels of virtual cameras.

/// Parts of labels, lower case, under which virtual cameras show themselves to browsers and SDKs.
const VIRTUAL_CAMERA_LABELS: [&str; 20] = [
    "obs virtual",
    "obs-camera",
    "manycam",
    "xsplit",
    "snap camera",
    "e2esoft",
    "vcam",
    "virtual cam",
    "v4l2loopback",
    "dummy video device",
    "deepfacelive",
    "deep-live-cam",
    "swapface",
    "avatarify",
    "mmhmm",
    "camtwist",
    "akvcam",
    "splitcam",
    "fake_device",
    ".y4m",
];

/// Whether a device label is one of a known virtual camera; an empty label says nothing.
pub(super) fn is_virtual_camera(label: &str) -> bool {
    let label = label.to_lowercase();
    VIRTUAL_CAMERA_LABELS.iter().any(|known| label.contains(known))
}

#[cfg(test)]
mod tests {
    use super::is_virtual_camera;

    #[test]
    fn known_labels_are_recognised_and_webcams_are_not() {
        for label in ["OBS Virtual Camera", "ManyCam Virtual Webcam", "Dummy video device (0x0000)", "e2eSoft VCam"] {
            assert!(is_virtual_camera(label), "{label}");
        }
        for label in ["", "HD Pro Webcam C920", "FaceTime HD Camera", "Integrated Camera (04f2:b6d0)"] {
            assert!(!is_virtual_camera(label), "{label}");
        }
    }
}
