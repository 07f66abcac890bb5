//! Weights that were trained here: they lie beside the manifest and are part of the program.

/// Model id and ONNX file.
const FILES: [(&str, &[u8]); 2] = [
    ("presentation", include_bytes!("../../models/presentation.onnx")),
    ("deepfake", include_bytes!("../../models/deepfake.onnx")),
];

/// The ONNX file of a model that has no package.
pub(super) fn weights(id: &str) -> Option<&'static [u8]> {
    FILES.iter().find(|(of, _)| *of == id).map(|(_, bytes)| *bytes)
}

#[cfg(test)]
mod tests {
    use super::FILES;
    use crate::inference::Manifest;

    #[test]
    fn every_file_is_the_one_that_the_manifest_names() {
        let manifest = Manifest::bundled().expect("valid");
        let trained: Vec<_> = manifest.models.iter().filter(|model| model.package.is_none()).collect();
        assert_eq!(trained.len(), FILES.len());
        for (id, bytes) in FILES {
            let model = manifest.model(id).expect("is there");
            assert_eq!(crate::inference::digest::Digest::of(bytes), model.sha256, "{id}");
            assert_eq!(bytes.len() as u64, model.bytes, "{id}");
        }
    }
}
