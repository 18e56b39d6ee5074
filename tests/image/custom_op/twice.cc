// An op of a user's own: its input, doubled. Shape inference, a kernel, and Eigen.
#include "tensorflow/core/framework/op.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/framework/shape_inference.h"

REGISTER_OP("Twice")
    .Input("in: float")
    .Output("out: float")
    .SetShapeFn([](tensorflow::shape_inference::InferenceContext* context) {
      context->set_output(0, context->input(0));
      return tensorflow::OkStatus();
    });

class Twice : public tensorflow::OpKernel {
 public:
  using OpKernel::OpKernel;
  void Compute(tensorflow::OpKernelContext* context) override {
    const tensorflow::Tensor& in = context->input(0);
    tensorflow::Tensor* out = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, in.shape(), &out));
    out->flat<float>() = in.flat<float>() * 2.0f;
  }
};
REGISTER_KERNEL_BUILDER(Name("Twice").Device(tensorflow::DEVICE_CPU), Twice);
